// Stands for libraries that are only there when lost is linked.
void nowhere(void) {}
void foreign(void) {}
