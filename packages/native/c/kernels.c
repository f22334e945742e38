// All kernels for one set of instructions, which the compiler's flags choose; TARGET names it.
#include "convolution.h"
#include "elementwise.h"
#include "pooling.h"
#include "rows.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

/** The `i`th kernel; 0 after the last one. A function, since a table would need relocation when the library is loaded. */
int JOIN(kernel_, TARGET)(int i, struct kernel *out) {
  int at = 0;
#define ENTRY(name, sig, number)                                    \
  if (at++ == i) {                                                  \
    *out = (struct kernel){#name, sig, k_##name, number};           \
    return 1;                                                       \
  }
#include "table.h"
  return 0;
}
