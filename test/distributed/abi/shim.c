// The application binary interface of MPI 5.0, with the numbers of its header, over the MPI that this is compiled with: a
// stand-in where no library has the interface. A number that is not the header's is an error.
#include <mpi.h>
#include <stdint.h>
#include <string.h>

// mpi.h declares these functions with its own types: so each gets its name by a label.
#define ABI(name) __asm__(#name)

typedef struct {
  int source, tag, error, internal[5];
} Status;

static MPI_Comm comm(intptr_t h) { return h == 0x101 ? MPI_COMM_WORLD : h < 0x1000 && h > 0 ? MPI_COMM_NULL : (MPI_Comm)h; }

static MPI_Datatype type(intptr_t h) {
  switch (h) {
    case 0x210: return MPI_FLOAT;
    case 0x214: return MPI_DOUBLE;
    case 0x240: return MPI_INT8_T;
    case 0x241: return MPI_UINT8_T;
    case 0x248: return MPI_INT16_T;
    case 0x250: return MPI_INT32_T;
    case 0x258: return MPI_INT64_T;
    default: return MPI_DATATYPE_NULL;
  }
}

static MPI_Op op(intptr_t h) {
  switch (h) {
    case 0x21: return MPI_SUM;
    case 0x22: return MPI_MIN;
    case 0x23: return MPI_MAX;
    case 0x24: return MPI_PROD;
    default: return MPI_OP_NULL;
  }
}

int abi_init(void *argc, void *argv, int required, int *provided) ABI(MPI_Init_thread);
int abi_init(void *argc, void *argv, int required, int *provided) {
  if (required != 0 && required != 1024 && required != 2048 && required != 4096) return MPI_ERR_ARG;
  int level = required / 1024 == 4 ? MPI_THREAD_MULTIPLE : required / 1024;
  int code = PMPI_Init_thread(argc, argv, level, &level);
  *provided = level == MPI_THREAD_MULTIPLE ? 4096 : level * 1024;
  return code;
}
int abi_version(char *text, int *length) ABI(MPI_Get_library_version);
int abi_version(char *text, int *length) {
  strcpy(text, "the stand-in for MPI's standard ABI");
  *length = (int)strlen(text);
  return 0;
}
int abi_finalize(void) ABI(MPI_Finalize);
int abi_finalize(void) { return PMPI_Finalize(); }
int abi_abort(intptr_t c, int code) ABI(MPI_Abort);
int abi_abort(intptr_t c, int code) { return PMPI_Abort(comm(c), code); }
int abi_errhandler(intptr_t c, intptr_t h) ABI(MPI_Comm_set_errhandler);
int abi_errhandler(intptr_t c, intptr_t h) {
  return h == 0x142 ? PMPI_Comm_set_errhandler(comm(c), MPI_ERRORS_RETURN) : MPI_ERR_ARG;
}
int abi_string(int code, char *text, int *length) ABI(MPI_Error_string);
int abi_string(int code, char *text, int *length) { return PMPI_Error_string(code, text, length); }
int abi_rank(intptr_t c, int *rank) ABI(MPI_Comm_rank);
int abi_rank(intptr_t c, int *rank) { return PMPI_Comm_rank(comm(c), rank); }
int abi_size(intptr_t c, int *size) ABI(MPI_Comm_size);
int abi_size(intptr_t c, int *size) { return PMPI_Comm_size(comm(c), size); }
int abi_split(intptr_t c, int color, int key, intptr_t *to) ABI(MPI_Comm_split);
int abi_split(intptr_t c, int color, int key, intptr_t *to) {
  MPI_Comm made;
  int code = PMPI_Comm_split(comm(c), color == -32766 ? MPI_UNDEFINED : color, key, &made);
  *to = made == MPI_COMM_NULL ? 0x100 : (intptr_t)made;
  return code;
}
#define REQUEST(call) MPI_Request made; int code = call; *r = (intptr_t)made; return code
int abi_allreduce(const void *a, void *b, int n, intptr_t t, intptr_t o, intptr_t c, intptr_t *r) ABI(MPI_Iallreduce);
int abi_allreduce(const void *a, void *b, int n, intptr_t t, intptr_t o, intptr_t c, intptr_t *r) {
  REQUEST(PMPI_Iallreduce(a, b, n, type(t), op(o), comm(c), &made));
}
int abi_bcast(void *a, int n, intptr_t t, int root, intptr_t c, intptr_t *r) ABI(MPI_Ibcast);
int abi_bcast(void *a, int n, intptr_t t, int root, intptr_t c, intptr_t *r) {
  REQUEST(PMPI_Ibcast(a, n, type(t), root, comm(c), &made));
}
int abi_allgather(void *a, int n, intptr_t t, void *b, int m, intptr_t u, intptr_t c, intptr_t *r) ABI(MPI_Iallgather);
int abi_allgather(void *a, int n, intptr_t t, void *b, int m, intptr_t u, intptr_t c, intptr_t *r) {
  REQUEST(PMPI_Iallgather(a, n, type(t), b, m, type(u), comm(c), &made));
}
int abi_gather(void *a, int n, intptr_t t, void *b, int m, intptr_t u, int root, intptr_t c, intptr_t *r) ABI(MPI_Igather);
int abi_gather(void *a, int n, intptr_t t, void *b, int m, intptr_t u, int root, intptr_t c, intptr_t *r) {
  REQUEST(PMPI_Igather(a, n, type(t), b, m, type(u), root, comm(c), &made));
}
int abi_scatter(void *a, int n, intptr_t t, void *b, int m, intptr_t u, int root, intptr_t c, intptr_t *r) ABI(MPI_Iscatter);
int abi_scatter(void *a, int n, intptr_t t, void *b, int m, intptr_t u, int root, intptr_t c, intptr_t *r) {
  REQUEST(PMPI_Iscatter(a, n, type(t), b, m, type(u), root, comm(c), &made));
}
int abi_reduce_scatter(void *a, void *b, int n, intptr_t t, intptr_t o, intptr_t c, intptr_t *r) ABI(MPI_Ireduce_scatter_block);
int abi_reduce_scatter(void *a, void *b, int n, intptr_t t, intptr_t o, intptr_t c, intptr_t *r) {
  REQUEST(PMPI_Ireduce_scatter_block(a, b, n, type(t), op(o), comm(c), &made));
}
int abi_barrier(intptr_t c, intptr_t *r) ABI(MPI_Ibarrier);
int abi_barrier(intptr_t c, intptr_t *r) { REQUEST(PMPI_Ibarrier(comm(c), &made)); }
int abi_isend(void *a, int n, intptr_t t, int to, int tag, intptr_t c, intptr_t *r) ABI(MPI_Isend);
int abi_isend(void *a, int n, intptr_t t, int to, int tag, intptr_t c, intptr_t *r) {
  REQUEST(PMPI_Isend(a, n, type(t), to, tag, comm(c), &made));
}
int abi_irecv(void *a, int n, intptr_t t, int source, int tag, intptr_t c, intptr_t *r) ABI(MPI_Irecv);
int abi_irecv(void *a, int n, intptr_t t, int source, int tag, intptr_t c, intptr_t *r) {
  REQUEST(PMPI_Irecv(a, n, type(t), source == -1 ? MPI_ANY_SOURCE : source, tag, comm(c), &made));
}
int abi_test(intptr_t *r, int *flag, Status *to) ABI(MPI_Test);
int abi_test(intptr_t *r, int *flag, Status *to) {
  MPI_Request own = (MPI_Request)*r;
  MPI_Status status;
  int code = PMPI_Test(&own, flag, &status);
  *r = own == MPI_REQUEST_NULL ? 0x180 : (intptr_t)own;
  if (*flag) *to = (Status){status.MPI_SOURCE, status.MPI_TAG, status.MPI_ERROR, {0}};
  return code;
}
