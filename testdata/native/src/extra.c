// extra.so: what greet can open by name.
#include "sys.h"

void extra(void) { sys3(SYS_mkdir, (long)"/tmp/greetings", 0700, 0); }
