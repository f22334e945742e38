// A Node-API addon without a libc. It exports `target`, the instruction set that its kernels use; `attach`, which makes
// functions of the kernels over a memory; and `watch` and `isCollected`, which tell whether an object has been garbage
// collected. Node-API functions are looked up in the process that loads the addon.
#include "vector.h"

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_ref__ *napi_ref;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);

#ifdef _WIN32
#define FROM_NODE __declspec(dllimport) int
#define FOR_NODE __declspec(dllexport)
#else
#define FROM_NODE extern int
#define FOR_NODE __attribute__((visibility("default")))
#endif

FROM_NODE napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
FROM_NODE napi_get_value_double(napi_env, napi_value, double *);
FROM_NODE napi_get_value_bool(napi_env, napi_value, _Bool *);
FROM_NODE napi_get_value_string_utf8(napi_env, napi_value, char *, size_t, size_t *);
FROM_NODE napi_get_typedarray_info(napi_env, napi_value, int *, size_t *, void **, napi_value *, size_t *);
FROM_NODE napi_create_double(napi_env, double, napi_value *);
FROM_NODE napi_create_object(napi_env, napi_value *);
FROM_NODE napi_create_string_utf8(napi_env, const char *, size_t, napi_value *);
FROM_NODE napi_create_arraybuffer(napi_env, size_t, void **, napi_value *);
FROM_NODE napi_create_reference(napi_env, napi_value, uint32_t, napi_ref *);
FROM_NODE napi_delete_reference(napi_env, napi_ref);
FROM_NODE napi_get_reference_value(napi_env, napi_ref, napi_value *);
FROM_NODE napi_get_boolean(napi_env, _Bool, napi_value *);
FROM_NODE napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
FROM_NODE napi_set_named_property(napi_env, napi_value, const char *, napi_value);

typedef int (*kernels_of)(int, struct kernel *);
#if defined(__x86_64__)
#define TARGETS 3
int kernel_sse(int, struct kernel *), kernel_avx2(int, struct kernel *), kernel_avx512(int, struct kernel *);

static void cpuid(uint32_t leaf, uint32_t *out) {
  __asm__("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(0));
}

/** Whether all of these bits are set. */
static int has(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

/** The name of the `i`th instruction set, best first; 0 if the processor lacks it or the system does not save its registers. */
static kernels_of target(int i, const char **name) {
  uint32_t most[4], one[4], seven[4] = {0}, saved = 0, high;
  cpuid(0, most);
  cpuid(1, one);
  if (most[0] >= 7) cpuid(7, seven);
  // OSXSAVE
  if (has(one[2], 1u << 27)) __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
  // FMA; BMI1, AVX2, BMI2; AVX-512 F, DQ, CD, BW, VL; SSE 4.2
  const int avx2 = has(one[2], 1u << 12) && has(seven[1], 1u << 3 | 1u << 5 | 1u << 8) && has(saved, 6);
  const int avx512 = avx2 && has(seven[1], 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31) && has(saved, 0xe6);
  if (i == 0) return *name = "avx512", avx512 ? kernel_avx512 : 0;
  if (i == 1) return *name = "avx2", avx2 ? kernel_avx2 : 0;
  return *name = "sse", has(one[2], 1u << 20) ? kernel_sse : 0;
}
#else
#define TARGETS 1
int kernel_neon(int, struct kernel *);
static kernels_of target(int i, const char **name) { return (void)i, *name = "neon", kernel_neon; }
#endif

static int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

/** The best instruction set of this machine, or the requested one; 0 if there is none. */
static kernels_of choose(const char *wanted, const char **name) {
  for (int i = 0; i < TARGETS; i++) {
    const kernels_of kernels = target(i, name);
    if (kernels && (!*wanted || same(wanted, *name))) return kernels;
  }
  return *name = "", (kernels_of)0;
}

/** A kernel over a memory. */
struct bound {
  struct kernel kernel;
  char *base;
};

#define MOST_ARGUMENTS 17
#define MOST_KERNELS 128

static napi_value call(napi_env env, napi_callback_info info) {
  size_t count = MOST_ARGUMENTS;
  napi_value values[MOST_ARGUMENTS];
  void *data;
  arg args[MOST_ARGUMENTS] = {{0}};
  if (napi_get_cb_info(env, info, &count, values, 0, &data) != 0) return 0;
  const struct bound *bound = data;
  const char *signature = bound->kernel.signature;
  for (size_t i = 0; signature[i] && i < count; i++) {
    double v = 0;
    if (napi_get_value_double(env, values[i], &v) != 0) {
      _Bool b = 0;
      napi_get_value_bool(env, values[i], &b);
      v = b;
    }
    if (signature[i] == 'a' || (signature[i] == 'o' && v != 0)) args[i].f = (float *)(bound->base + (uint64_t)v);
    else if (signature[i] == 'n') args[i].n = (ptrdiff_t)v;
    else args[i].x = v;
  }
  const double result = bound->kernel.run(args);
  napi_value number = 0;
  if (bound->kernel.gives_number) napi_create_double(env, result, &number);
  return number;
}

static size_t length_of(const char *text) {
  size_t n = 0;
  while (text[n]) n++;
  return n;
}

/** A buffer that lives as long as the program's thread; 0 if there is no memory. */
static void *kept_buffer(napi_env env, size_t size) {
  void *place;
  napi_value buffer;
  napi_ref kept;
  if (napi_create_arraybuffer(env, size, &place, &buffer) != 0) return 0;
  return napi_create_reference(env, buffer, 1, &kept) == 0 ? place : 0;
}

/**
 * attach(bytes, target?): the kernels, by name, over the memory that starts at these bytes; valid as long as that memory does
 * not move. Returns undefined if the processor lacks the instructions.
 */
static napi_value attach(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value values[2], object;
  char wanted[16] = "";
  void *base;
  const char *name;
  if (napi_get_cb_info(env, info, &count, values, 0, 0) != 0 || count < 1) return 0;
  if (napi_get_typedarray_info(env, values[0], 0, 0, &base, 0, 0) != 0) return 0;
  if (count > 1) napi_get_value_string_utf8(env, values[1], wanted, sizeof wanted, 0);
  const kernels_of kernels = choose(wanted, &name);
  if (!kernels) return 0;
  struct bound *bound = kept_buffer(env, sizeof(struct bound) * MOST_KERNELS);
  if (!bound || napi_create_object(env, &object) != 0) return 0;
  for (int i = 0; i < MOST_KERNELS && kernels(i, &bound->kernel); i++, bound++) {
    napi_value function;
    bound->base = base;
    const char *text = bound->kernel.name;
    if (napi_create_function(env, text, length_of(text), call, bound, &function) != 0) return 0;
    if (napi_set_named_property(env, object, text, function) != 0) return 0;
  }
  return object;
}

/** Weak references by number, in chunks that are allocated when they are needed. */
#define PIECES 256
#define PIECE 4096
struct watched {
  napi_ref *pieces[PIECES];
};

static napi_ref *slot_of(struct watched *watched, napi_env env, double number) {
  const size_t i = (size_t)number;
  if (i >= PIECES * PIECE) return 0;
  napi_ref **piece = &watched->pieces[i / PIECE];
  if (!*piece) *piece = kept_buffer(env, sizeof(napi_ref) * PIECE);
  return *piece ? *piece + i % PIECE : 0;
}

/** watch(number, object): from now on `isCollected(number)` is about this object. Returns false if there is no room for it. */
static napi_value watch(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value values[2], done;
  void *watched;
  double number;
  if (napi_get_cb_info(env, info, &count, values, 0, &watched) != 0 || count < 2) return 0;
  if (napi_get_value_double(env, values[0], &number) != 0) return 0;
  napi_ref *slot = slot_of(watched, env, number);
  if (slot && *slot) napi_delete_reference(env, *slot), *slot = 0;
  const _Bool is_watched = slot && napi_create_reference(env, values[1], 0, slot) == 0;
  return napi_get_boolean(env, is_watched, &done) == 0 ? done : 0;
}

/** isCollected(number): whether the object of that number has been garbage collected. */
static napi_value is_collected(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value, object = 0, answer;
  void *watched;
  double number;
  if (napi_get_cb_info(env, info, &count, &value, 0, &watched) != 0 || count < 1) return 0;
  if (napi_get_value_double(env, value, &number) != 0) return 0;
  napi_ref *slot = slot_of(watched, env, number);
  if (slot && *slot) napi_get_reference_value(env, *slot, &object);
  return napi_get_boolean(env, slot && *slot && !object, &answer) == 0 ? answer : 0;
}

static void export(napi_env env, napi_value exports, const char *name, napi_callback run, void *data) {
  napi_value function;
  if (napi_create_function(env, name, length_of(name), run, data, &function) == 0)
    napi_set_named_property(env, exports, name, function);
}

FOR_NODE napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value text;
  const char *name;
  choose("", &name);
  export(env, exports, "attach", attach, 0);
  struct watched *watched = kept_buffer(env, sizeof(struct watched));
  if (watched) {
    export(env, exports, "watch", watch, watched);
    export(env, exports, "isCollected", is_collected, watched);
  }
  napi_create_string_utf8(env, name, length_of(name), &text);
  napi_set_named_property(env, exports, "target", text);
  return exports;
}

FOR_NODE int32_t node_api_module_get_api_version_v1(void) { return 8; }

#ifdef _WIN32
int _fltused;
int __stdcall _DllMainCRTStartup(void *module, unsigned reason, void *reserved) {
  (void)module, (void)reason, (void)reserved;
  return 1;
}
#endif

// Compilers emit calls of these. The empty asm statements keep them from replacing the loops by calls of the functions
// themselves.
void *memset(void *to, int value, size_t n) {
  unsigned char *p = to;
  while (n--) {
    *p++ = (unsigned char)value;
    __asm__ volatile("");
  }
  return to;
}

void *memcpy(void *to, const void *from, size_t n) {
  unsigned char *p = to;
  const unsigned char *q = from;
  while (n--) {
    *p++ = *q++;
    __asm__ volatile("");
  }
  return to;
}
