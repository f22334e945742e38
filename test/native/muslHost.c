// Stands in for Node under musl's loader: provides the Node-API functions that an addon needs, attaches its kernels to a
// memory, and prints the results of two of them.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *value;
typedef value (*callback)(value env, value info);
#define FOR_ADDON __attribute__((visibility("default"))) int

struct function {
  char name[64];
  callback run;
  void *data;
};
static struct function functions[256];
static int made;

static char memory[1 << 16];
/** The running call: which function, and its arguments. A value is the number of an argument, counted from 1. */
static const struct function *running;
static double arguments[8];
static size_t given;
static double result;

FOR_ADDON napi_get_cb_info(value env, value info, size_t *count, value *values, value *self, void **data) {
  const size_t room = count ? *count : 0;
  if (count) *count = given;
  if (data) *data = running->data;
  for (size_t i = 0; i < room && i < given; i++) values[i] = (value)(i + 1);
  return 0;
}
FOR_ADDON napi_get_value_double(value env, value v, double *to) { return *to = arguments[(size_t)v - 1], 0; }
FOR_ADDON napi_get_value_bool(value env, value v, _Bool *to) { return *to = 0, 0; }
FOR_ADDON napi_get_value_string_utf8(value env, value v, char *to, size_t room, size_t *length) { return *to = 0; }
FOR_ADDON napi_get_typedarray_info(value env, value v, int *type, size_t *length, void **data, value *buffer, size_t *offset) {
  return *data = memory, 0;
}
FOR_ADDON napi_create_double(value env, double number, value *to) { return result = number, *to = (value)1, 0; }
FOR_ADDON napi_create_object(value env, value *to) { return *to = (value)1, 0; }
FOR_ADDON napi_create_string_utf8(value env, const char *text, size_t length, value *to) { return *to = (value)1, 0; }
FOR_ADDON napi_create_arraybuffer(value env, size_t bytes, void **data, value *to) {
  return *to = *data = calloc(1, bytes), 0;
}
FOR_ADDON napi_create_reference(value env, value v, uint32_t count, value *to) { return *to = (value)1, 0; }
FOR_ADDON napi_delete_reference(value env, value reference) { return 0; }
FOR_ADDON napi_get_reference_value(value env, value reference, value *to) { return *to = 0, 0; }
FOR_ADDON napi_get_boolean(value env, _Bool b, value *to) { return *to = (value)1, 0; }
FOR_ADDON napi_create_function(value env, const char *name, size_t length, callback run, void *data, value *to) {
  struct function *f = &functions[made++];
  memcpy(f->name, name, length);
  f->run = run;
  f->data = data;
  return *to = (value)1, 0;
}
FOR_ADDON napi_set_named_property(value env, value object, const char *name, value v) { return 0; }

static void call(const char *name, size_t count, const double *values) {
  for (running = functions; strcmp(running->name, name); running++)
    if (running == functions + made) exit(2);
  given = count;
  if (count > 0) memcpy(arguments, values, count * sizeof(double));
  running->run((value)1, (value)1);
}

int main(int count, char **words) {
  void *addon = dlopen(words[1], RTLD_NOW);
  if (!addon) return puts(dlerror()), 1;
  value (*begin)(value, value) = (value(*)(value, value))dlsym(addon, "napi_register_module_v1");
  begin((value)1, (value)1);
  call("attach", 1, (double[]){1});
  float *floats = (float *)memory;
  for (int i = 0; i < 100; i++) floats[i] = i;
  call("sum", 2, (double[]){0, 100});
  call("exp", 3, (double[]){4096, 0, 3});
  printf("%g %.4f %.4f %.4f\n", result, floats[1024], floats[1025], floats[1026]);
  return 0;
}
