/* A program that was linked before the library had versions, and prints which one it gets. */
#include <stdio.h>
extern int twice(int);
int main(void) { printf("%d\n", twice(10)); }
