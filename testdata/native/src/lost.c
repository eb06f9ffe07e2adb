// lost: needs two libraries, one that is nowhere and one that is there for another machine.
void nowhere(void);
void foreign(void);

void _start(void) {
	nowhere();
	foreign();
	for (;;) ;
}
