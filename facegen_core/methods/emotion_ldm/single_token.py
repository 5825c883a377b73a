"""Cross-attention to one token, without what cannot change its result."""

from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn


class SingleToken:
    """Attention processor for a context of one token.

    The softmax over one key is 1 whatever the query, so attention is ``to_out(to_v(context))``, the same at every
    position. Query, key and softmax are not computed. The result has one position, which the transformer block adds to
    all of its own.
    """

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """What attention adds to each position, (B, 1, C).

        Args:
            attn: the attention layer; its dropout is 0 and it has no residual of its own, as in a U-Net's blocks.
            hidden_states: (B, N, C), which decide nothing.
            encoder_hidden_states: (B, 1, D), the token.
            attention_mask: decides nothing either.

        Raises:
            ValueError: there is not exactly one token.
        """
        if encoder_hidden_states is None or encoder_hidden_states.shape[1] != 1:
            shape = None if encoder_hidden_states is None else tuple(encoder_hidden_states.shape)
            raise ValueError(f"this network attends to one token, (B, 1, D), got {shape}")
        return attn.to_out[0](attn.to_v(encoder_hidden_states))


class Unread(nn.LayerNorm):
    """The norm before attention that reads nothing of it: keeps its weights, and gives its input as it is."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        return hidden_states


def use_single_token(unet: UNet2DConditionModel) -> None:
    """Makes all cross-attention of a U-Net that of one token, values and gradients unchanged.

    The queries, the keys and the norm before them are not computed, so their weights have no gradient any more; in the
    plain computation it is zero but for rounding, which Adam would blow up into a random walk. The weights stay among
    the parameters and in checkpoints, frozen: so DDP waits for no gradient of theirs, and weight decay does not shrink
    them.
    """
    for block in unet.modules():
        if isinstance(block, BasicTransformerBlock):
            block.attn2.set_processor(SingleToken())
            unread = Unread(block.norm2.normalized_shape, block.norm2.eps)
            unread.weight, unread.bias = block.norm2.weight, block.norm2.bias
            block.norm2 = unread
            for part in (unread, block.attn2.to_q, block.attn2.to_k):
                part.requires_grad_(False)
