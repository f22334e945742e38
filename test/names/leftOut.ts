// The names of PyTorch's that do not exist here, each with the reason; names.test.ts keeps the list complete.

/** A reason, and the names it applies to, in one of PyTorch's modules or all: separated by spaces, `*` for any letters. */
export interface Reason {
  readonly why: string;
  readonly names: string;
  /** All names of the module if left out. */
  readonly of?: readonly string[];
}

/** What to write instead: our name, or PyTorch's main name for an alias. */
export const otherwise: Readonly<Record<string, string>> = {
  pinverse: 'linalg.pinv',
  logdet: 'linalg.logdet',
  matrix_exp: 'linalg.matrixExp',
  ...{
    chain_matmul: 'linalg.multiDot',
  },
  ...{
    frobenius_norm: 'norm',
    nuclear_norm: 'linalg.matrixNorm',
  },
  ...{ sgn_: 'sign_', mvlgamma: 'special.multigammaln', mvlgamma_: 'special.multigammaln', igamma: 'special.gammainc' },
  ...{
    igamma_: 'special.gammainc',
    igammac: 'special.gammaincc',
    igammac_: 'special.gammaincc',
    i0: 'special.i0',
    i0_: 'special.i0',
  },
  ...{
    svd: 'linalg.svd',
    qr: 'linalg.qr',
    eig: 'linalg.eig',
    symeig: 'linalg.eigh',
    lu: 'linalg.lu',
  },
  ...{
    lu_solve: 'linalg.luSolve',
    lu_unpack: 'linalg.lu',
    lstsq: 'linalg.lstsq',
    triangular_solve: 'linalg.solveTriangular',
  },
  ...{
    orgqr: 'linalg.householderProduct',
    geqrf: 'linalg.qr',
  },
  ...{ cholesky_inverse: 'linalg.choleskyInverse', cholesky_solve: 'linalg.choleskySolve', svd_lowrank: 'linalg.svd' },
  ...{
    pca_lowrank: 'linalg.svd',
    range: 'arange',
    scalar_tensor: 'tensor',
    fill: 'full',
  },
  ...{
    load: 'nn.load',
    save: 'nn.save',
    numpy: 'toTypedArray',
    cpu: "to('cpu')",
    cuda: 'to',
  },
  ...{
    type: 'to',
    new: 'newTensor',
    stride: 'strides',
    storage_offset: 'offset',
    get_device: 'device',
    is_inference: 'inference',
  },
  ...{
    index_put_: 'set',
    put: 'set',
    put_: 'set',
    narrow_copy: 'narrow',
  },
  ...{
    unsafe_split_with_sizes: 'split',
  },
  ...{ typename: 'dtype', gradient: 'diff' },
  ...{
    embedding_renorm_: 'embedding',
    grid_sampler: 'gridSample',
    grid_sampler_2d: 'gridSample',
    grid_sampler_3d: 'gridSample',
  },
  ...{
    affine_grid_generator: 'affineGrid',
    native_dropout: 'dropout',
    native_layer_norm: 'layerNorm',
    native_group_norm: 'groupNorm',
  },
  ...{
    native_batch_norm: 'batchNorm',
    native_norm: 'norm',
    convolution: 'conv2d',
  },
  ...{
    get_rng_state: 'defaultGenerator',
    set_rng_state: 'defaultGenerator',
    seed: 'manualSeed',
    initial_seed: 'manualSeed',
  },
  ...{
    is_inference_mode_enabled: 'isInferenceMode',
    is_anomaly_enabled: 'anomalyMode',
    set_anomaly_enabled: 'anomalyMode',
  },
  ...{
    is_anomaly_check_nan_enabled: 'anomalyMode',
  },
  ...{ float_power_: 'pow_' },
  ...{
    gru: 'nn.GRU',
    gru_cell: 'nn.GRUCell',
    lstm: 'nn.LSTM',
    lstm_cell: 'nn.LSTMCell',
    rnn_tanh: 'nn.RNN',
    rnn_relu: 'nn.RNN',
  },
  ...{
    rnn_tanh_cell: 'nn.RNNCell',
    rnn_relu_cell: 'nn.RNNCell',
    multi_head_attention_forward: 'nn.MultiheadAttention',
  },
  ...{
    logsigmoid: 'logSigmoid',
    upsample: 'interpolate',
    upsample_bilinear: 'interpolate',
    upsample_nearest: 'interpolate',
  },
  ...{
    UpsamplingBilinear2d: 'Upsample',
    UpsamplingNearest2d: 'Upsample',
    NLLLoss2d: 'NLLLoss',
    Container: 'Module',
    Softmax2d: 'Softmax',
  },
  ...{
    RNNBase: 'RNN',
    RNNCellBase: 'RNNCell',
    CrossMapLRN2d: 'LocalResponseNorm',
    SyncBatchNorm: 'distributed.SyncBatchNorm',
  },
  ...{
    DataParallel: 'distributed.DistributedDataParallel',
    cholesky_ex: 'cholesky',
    inv_ex: 'inv',
    solve_ex: 'solve',
    lu_factor_ex: 'luFactor',
  },
  ...{
    trapz: 'more.trapezoid',
    index_reduce_: 'more.indexReduce',
    ldexp_: 'more.ldexp',
    nextafter_: 'more.nextafter',
    renorm_: 'more.renorm',
  },
  ...{
    smm: 'sparse.matmul',
    spmm: 'sparse.matmul',
    dsmm: 'sparse.matmul',
    hsmm: 'sparse.matmul',
    sparse_coo: 'sparse.sparseCooTensor',
    sparse_csr: 'sparse.sparseCsrTensor',
    is_sparse_csr: 'sparse.isSparse',
    sparse_mask: 'sparse.SparseTensor.mask',
  },
  ...{
    ldl_factor_ex: 'ldlFactor',
    diagonal: 'diagonal',
  },
  ...{
    from_numpy: 'tensor',
    from_file: 'nn.load',
    frombuffer: 'tensor',
    resize: 'reshape',
    resize_as: 'reshapeAs',
    retains_grad: 'retainGrad',
  },
  ...{
    celu_: 'celu',
    rrelu_: 'rrelu',
    selu_: 'selu',
    elu_: 'elu',
    hardtanh_: 'hardtanh',
  },
  ...{
    leaky_relu_: 'leakyRelu',
    threshold_: 'threshold',
    relu_: 'relu_',
    alpha_dropout_: 'alphaDropout',
    dropout_: 'dropout',
  },
  ...{
    hardshrink: 'hardshrink',
    prelu: 'prelu',
    feature_dropout: 'dropout2d',
  },
  ...{
    feature_dropout_: 'dropout2d',
    squeeze_: 'squeeze',
    unsqueeze_: 'unsqueeze',
  },
  ...{
    t_: 't',
    transpose_: 'transpose',
    swapaxes_: 'swapaxes',
    swapdims_: 'swapaxes',
    set_: 'copy_',
    data_ptr: 'storage',
    element_size: 'dtype',
  },
  ...{ apply_: 'unary', map_: 'binary', map2_: 'binary', norm_except_dim: 'norm' },
  ...{
    set_default_dtype: 'to',
    get_default_dtype: 'to',
    set_printoptions: 'toArray',
    get_num_interop_threads: 'getNumThreads',
  },
  ...{
    set_num_interop_threads: 'setNumThreads',
    binomial: 'distributions.Binomial',
  },
  ...{ unify_type_list: 'promoteTypes', clear_autocast_cache: 'to' },
  ...{ combine_state_for_ensemble: 'nn.stackModuleState', make_functional: 'nn.functionalCall' },
  ...{ make_functional_with_buffers: 'nn.functionalCall' },
};

const native =
  'the machinery of Python, TorchScript, builds, serialization and dispatch; JavaScript has types, modules and formats of its own';

/** The first match counts. */
export const leftOut: readonly Reason[] = [
  {
    why: native,
    of: ['torch', 'functional', 'sparse'],
    names:
      'AVG Any* A[a-z]*  [A-Z]* *_type_* candidate attr classproperty import_* init_num_threads parse_* prepare_* fork wait compiled_* has_* torch_* read_vitals set_vital vitals_enabled get_file_path set_flush_denormal to_dlpack from_dlpack boolean_dispatch assert_int_or_pair handle_* *_notes dtype layout memory_format *_format channels_last* strided typing merge_* is_storage is_warn_always_enabled set_warn_always *deterministic* *matmul_precision obj name segment_reduce',
  },
  {
    why: 'Python’s, or documentation',
    names: 'Tensor *common* Counter EPOCH* bisect_right wraps inf nan pi e factory* *_notes torch',
  },
  {
    why: native,
    names:
      'is_vulkan* is_distributed is_pinned pin_memory share_memory_ is_shared record_stream reinforce volatile as_subclass is_set_to set_default_tensor_type layout name empty_quantized typename *_copy alias_copy',
  },
  {
    why: 'other devices and the libraries of vendors: devices here are packages that register a backend',
    names:
      'cudnn* miopen* mkldnn* is_ipu is_meta is_mkldnn is_mps is_ort is_vulkan is_xpu is_cuda is_cpu ipu xpu to_mkldnn batch_norm_* native_channel_shuffle',
  },
  {
    why: 'dtypes are strings, such as `float32`',
    of: ['torch'],
    names: 'complex64 complex128 float16 float32 float64 int8 int16 int32 int64 uint8',
  },
  {
    why: 'quantization',
    names:
      'q_* q*int* quint* quantize* quantized* dequantize int_repr is_quantized qscheme fake_quantize* fused_moving* fbgemm* per_* choose_qparams*',
  },
  {
    why: 'the state of autocast is that of its gate: `autocast(false)`, `isAutocastEnabled` and `getAutocastDtype` of core/autocast; there is no cache',
    names: '*autocast*',
  },
  {
    why: 'conjugates and negatives are computed at once: there are none to resolve',
    names: 'conj_physical* is_conj is_neg resolve_*',
  },
  {
    why: 'classes of modules as functions, and rewriting of programs, which functions of tensors do not need here',
    of: ['func'],
    names: 'FunctionalModule* functionalize make_fx',
  },
  { why: 'complex numbers of two bytes a part', names: 'chalf complex32' },
  {
    why: 'sparse tensors by columns or blocks, and sparse results of sums of products and of writes: graphs and embeddings need neither',
    names:
      '*bsc* *bsr* *csc* ccol_indices row_indices sparse_compressed_tensor hspmm saddmm sspaddmm sparse_resize* resize_as_sparse_',
  },
  {
    why: 'named dimensions and nested tensors',
    names: 'align_* has_names names rename* refine_names is_nested to_padded_tensor',
  },
  {
    why: 'views by strides: operators make views; others would reach outside of a tensor',
    names: 'as_strided* new_empty_strided empty_strided resize_ resize_as_ storage_type',
  },
  { why: 'lazy layers have parameters of size 0 at first', names: 'Uninitialized*' },
  {
    why: 'rarely used layers: not there yet',
    names: 'feature_alpha_dropout_',
  },
  {
    why: 'Transform is a type, and densities are by logProb: there is no class between',
    of: ['distributions'],
    names: 'Transform ExponentialFamily',
  },
  {
    why: 'rarely used: not there yet',
    names: 'lobpcg ormqr',
  },
];
