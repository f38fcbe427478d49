"""Torch ops that have no multiply-adds by our convention, and why; without a formula any other op is unknown."""

from __future__ import annotations

from archcalc.values.trace import AtenOp

_NAMES = {
    "normalisation": """native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training
        _native_batch_norm_legit_functional _batch_norm_with_update batch_norm_no_training cudnn_batch_norm
        native_layer_norm native_group_norm _weight_norm_interface _weight_norm _fused_rms_norm renorm
        linalg_vector_norm norm""",
    "activation": """_softmax _log_softmax _safe_softmax glu _prelu_kernel rrelu_with_noise softplus hardshrink
        softshrink threshold threshold_ log_sigmoid_forward softmax log_softmax _masked_softmax""",
    "pooling": """max_pool2d_with_indices max_pool3d_with_indices avg_pool2d avg_pool3d _adaptive_avg_pool2d
        _adaptive_avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d avg_pool1d
        adaptive_max_pool2d adaptive_max_pool3d fractional_max_pool2d fractional_max_pool3d
        max_unpool2d max_unpool3d""",
    "reduction": """sum mean amax amin aminmax max min argmax argmin any all var var_mean std std_mean logsumexp prod
        cumsum cumprod cummax cummin logcumsumexp median nanmedian mode count_nonzero nansum trace segment_reduce
        _is_all_true _is_any_true allclose""",
    "sorting": """sort topk kthvalue unique_dim _unique _unique2 unique_consecutive unique_dim_consecutive searchsorted
        bucketize histc bincount histogram isin""",
    "random numbers": """native_dropout bernoulli bernoulli_ rand randn randint randperm rand_like randn_like
        randint_like normal normal_ uniform_ exponential_ multinomial normal_functional uniform random exponential
        geometric
        cauchy log_normal poisson binomial _standard_gamma""",
    "data movement": """cat stack clone _to_copy copy_ copy _unsafe_view contiguous gather scatter scatter_ scatter_add
        scatter_add_ scatter_reduce index index_select index_put index_put_ index_add index_add_ index_copy index_fill
        slice_scatter select_scatter diagonal_scatter embedding _embedding_bag _embedding_bag_forward_only take
        masked_fill masked_fill_ masked_scatter masked_select nonzero repeat repeat_interleave roll flip rot90 tril
        triu tril_ triu_ constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
        replication_pad2d replication_pad3d pixel_shuffle pixel_unshuffle channel_shuffle im2col col2im zero_ fill_
        fill lift_fresh lift_fresh_copy set_ resize_ detach_ _local_scalar_dense is_same_size equal view_as_real
        view_as_complex _reshape_alias alias new_empty new_zeros new_full new_ones empty_like zeros_like ones_like
        full_like split_with_sizes_copy unbind_copy unsafe_split unsafe_split_with_sizes
        unsqueeze_ squeeze_ t_ transpose_ resize_as_ embedding_renorm_ unfold_backward _linalg_check_errors
        _pack_padded_sequence _pad_packed_sequence to_sparse _to_sparse _to_sparse_csr _coalesce _to_dense
        _sparse_coo_tensor_with_dims_and_tensors index_reduce put as_strided_scatter diag_embed block_diag
        nonzero_static _unsafe_index _unsafe_index_put _unsafe_masked_index _unsafe_masked_index_put_accumulate
        _make_dual _unpack_dual _fw_primal select_backward slice_backward diagonal_backward embedding_dense_backward
        _index_put_impl _chunk_cat lift to_padded_tensor _pin_memory zero resize set""",
    "constant": """empty empty_strided zeros ones full arange linspace logspace eye scalar_tensor tril_indices
        triu_indices empty_permuted new_empty_strided range hann_window hamming_window bartlett_window blackman_window
        kaiser_window _efficientzerotensor _new_zeros_with_same_feature_meta""",
    "elementwise": """floor_divide linalg_cross cross complex polar abs copysign eq ge gt le lt ne gcd lcm heaviside
        rsub gelu mish hardswish""",
    "check": """_assert_async _functional_assert_async _assert_scalar _functional_assert_scalar _assert_tensor_metadata
        is_pinned is_set_to _has_same_storage_numel _is_zerotensor""",
    "quantisation": """quantize_per_tensor quantize_per_channel quantize_per_tensor_dynamic dequantize
        _fused_moving_avg_obs_fq_helper _fake_quantize_per_tensor_affine_cachemask_tensor_qparams
        fake_quantize_per_tensor_affine_cachemask fake_quantize_per_channel_affine_cachemask
        _fake_quantize_learnable_per_tensor_affine _fake_quantize_learnable_per_channel_affine""",
    "loss": """mse_loss l1_loss smooth_l1_loss huber_loss nll_loss_forward nll_loss2d_forward nll_loss2d nll_loss
        binary_cross_entropy binary_cross_entropy_with_logits kl_div _ctc_loss""",
    "interpolation": """grid_sampler_2d grid_sampler_3d affine_grid_generator""",
}
_ZERO_COST = {f"aten.{name}": reason for reason, names in _NAMES.items() for name in names.split()}
_ZERO_COST |= {"torchvision.nms": "sorting", "torchvision.roi_pool": "pooling", "torchvision.ps_roi_pool": "pooling"}
_ZERO_COST |= {"torchvision.roi_align": "interpolation", "torchvision.ps_roi_align": "interpolation"}

_PRIMITIVES = frozenset(f"prims.{name}" for name in "abs add sub mul div neg exp log sqrt rsqrt sin cos tanh".split())


def zero_cost_reason(op: AtenOp) -> str:
    """Why a torch op has no multiply-adds; "" for an op that is not known to have none."""
    of_gradient = op.name.removesuffix("_data").removesuffix("_backward")  # of what has none, nothing is multiplied
    for name in (op.name, op.name.removesuffix("_"), of_gradient):
        if name in _ZERO_COST:
            return _ZERO_COST[name]
    if "view" in op.tags:
        return "data movement"
    if "pointwise" in op.tags or op.name.startswith("aten._foreach_") or op.name in _PRIMITIVES:
        return "elementwise"
    return "interpolation" if op.name.startswith(("aten.upsample_", "aten._upsample_")) else ""
