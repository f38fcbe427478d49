"""Kinds of which only the dtype under autocast is known, from the lists in torch's documentation of autocast."""

from __future__ import annotations

from archcalc.ops.definition import FLOAT32_ON_CUDA, LOWER, define_plainly

define_plainly(
    "conv_tbc convolution rmatmul addmm addmv addbmm baddbmm addr multi_dot chain_matmul einsum", autocast=LOWER
)
define_plainly(
    """softmin expm1 log10 log1p log2 cumsum prod cumprod dist cdist cosine_similarity erfinv acos asin cosh sinh tan
    cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss kl_div binary_cross_entropy_with_logits
    poisson_nll_loss cosine_embedding_loss margin_ranking_loss triplet_margin_loss ctc_loss""",
    autocast=FLOAT32_ON_CUDA,
)
