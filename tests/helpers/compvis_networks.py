"""CompVis' two networks, written once more from their description, with the names their checkpoints have.

They know nothing of diffusers, so that a conversion can be checked by what the networks compute.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def norm(channels: int, eps: float) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels, eps)


class Named(nn.Module):
    """Holds the modules it is given under their names."""

    def __init__(self, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


# First stage --------------------------------------------------------------------------------------------------------


class StageResidual(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = norm(before, 1e-6), nn.Conv2d(before, after, 3, padding=1)
        self.norm2, self.conv2 = norm(after, 1e-6), nn.Conv2d(after, after, 3, padding=1)
        if before != after:
            self.nin_shortcut = nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        return y + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class StageAttention(nn.Module):
    """One head over all places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = norm(channels, 1e-6)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        query, key, value = (layer(y).flatten(2) for layer in (self.q, self.k, self.v))  # (B, C, HW)
        share = torch.einsum("bci,bcj->bij", query, key).mul(x.shape[1] ** -0.5).softmax(2)
        return x + self.proj_out(torch.einsum("bij,bcj->bci", share, value).view_as(x))


def stage_middle(channels: int) -> Named:
    return Named(
        block_1=StageResidual(channels, channels),
        attn_1=StageAttention(channels),
        block_2=StageResidual(channels, channels),
    )


def through_middle(middle: Named, x: Tensor) -> Tensor:
    return middle.block_2(middle.attn_1(middle.block_1(x)))


class StageEncoder(nn.Module):
    def __init__(self, widths: list[int], blocks: int, latent: int) -> None:
        super().__init__()
        self.conv_in, self.down = nn.Conv2d(3, widths[0], 3, padding=1), nn.ModuleList()
        for i, width in enumerate(widths):
            before, last = widths[max(i - 1, 0)], i == len(widths) - 1
            level = Named(
                block=nn.ModuleList(StageResidual(width if j else before, width) for j in range(blocks)),
                attn=nn.ModuleList(StageAttention(width) for _ in range(blocks if last else 0)),
            )
            if not last:
                level.downsample = Named(conv=nn.Conv2d(width, width, 3, stride=2))
            self.down.append(level)
        self.mid = stage_middle(widths[-1])
        self.norm_out, self.conv_out = norm(widths[-1], 1e-6), nn.Conv2d(widths[-1], latent, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for level in self.down:
            for j, block in enumerate(level.block):
                x = block(x)
                x = level.attn[j](x) if len(level.attn) else x
            if hasattr(level, "downsample"):
                x = level.downsample.conv(F.pad(x, (0, 1, 0, 1)))
        return self.conv_out(F.silu(self.norm_out(through_middle(self.mid, x))))


class StageDecoder(nn.Module):
    def __init__(self, widths: list[int], blocks: int, latent: int) -> None:
        super().__init__()
        self.conv_in, self.mid = nn.Conv2d(latent, widths[-1], 3, padding=1), stage_middle(widths[-1])
        levels = []
        for i, width in enumerate(widths):
            before, last = widths[min(i + 1, len(widths) - 1)], i == len(widths) - 1
            level = Named(
                block=nn.ModuleList(StageResidual(width if j else before, width) for j in range(blocks + 1)),
                attn=nn.ModuleList(StageAttention(width) for _ in range(blocks + 1 if last else 0)),
            )
            if i:
                level.upsample = Named(conv=nn.Conv2d(width, width, 3, padding=1))
            levels.append(level)
        self.up = nn.ModuleList(levels)  # counted from the finest
        self.norm_out, self.conv_out = norm(widths[0], 1e-6), nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = through_middle(self.mid, self.conv_in(x))
        for level in reversed(self.up):
            for j, block in enumerate(level.block):
                x = block(x)
                x = level.attn[j](x) if len(level.attn) else x
            if hasattr(level, "upsample"):
                x = level.upsample.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.conv_out(F.silu(self.norm_out(x)))


class CompVisFirstStage(nn.Module):
    """``VQModelInterface``: attention at the last level and in the middle."""

    def __init__(self, widths: list[int], blocks: int, latent: int, codes: int) -> None:
        super().__init__()
        self.encoder, self.decoder = StageEncoder(widths, blocks, latent), StageDecoder(widths, blocks, latent)
        self.quantize = Named(embedding=nn.Embedding(codes, latent))
        self.quant_conv, self.post_quant_conv = nn.Conv2d(latent, latent, 1), nn.Conv2d(latent, latent, 1)

    def encode(self, pictures: Tensor) -> Tensor:
        return self.quant_conv(self.encoder(pictures))

    def decode(self, latents: Tensor) -> Tensor:
        book = self.quantize.embedding.weight
        apart = (latents[:, None] - book[None, :, :, None, None]).square().sum(2)  # (B, codes, h, w)
        return self.decoder(self.post_quant_conv(book[apart.argmin(1)].permute(0, 3, 1, 2)))


# Denoiser -----------------------------------------------------------------------------------------------------------


class UNetResidual(nn.Module):
    def __init__(self, before: int, after: int, time: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(norm(before, 1e-5), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(time, after))
        self.out_layers = nn.Sequential(
            norm(after, 1e-5), nn.SiLU(), nn.Dropout(0.0), nn.Conv2d(after, after, 3, padding=1)
        )
        self.skip_connection = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor, time: Tensor, _: Tensor) -> Tensor:
        y = self.in_layers(x) + self.emb_layers(time)[:, :, None, None]
        return self.skip_connection(x) + self.out_layers(y)


class CrossAttention(nn.Module):
    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k, self.to_v = (nn.Linear(context, width, bias=False) for _ in range(2))
        self.to_out = nn.Sequential(nn.Linear(width, width), nn.Dropout(0.0))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        query, key, value = (
            y.unflatten(2, (self.heads, -1)) for y in (self.to_q(x), self.to_k(context), self.to_v(context))
        )
        share = torch.einsum("bihd,bjhd->bhij", query, key).mul(query.shape[-1] ** -0.5).softmax(3)
        return self.to_out(torch.einsum("bhij,bjhd->bihd", share, value).flatten(2))


class GatedFeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(Named(proj=nn.Linear(width, 8 * width)), nn.Dropout(0.0), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.net[0].proj(x).chunk(2, dim=2)
        return self.net[2](value * F.gelu(gate))


class TransformerBlock(nn.Module):
    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.attn1, self.attn2 = CrossAttention(width, width, heads), CrossAttention(width, context, heads)
        self.ff = GatedFeedForward(width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.attn1(y, y)
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class SpatialTransformer(nn.Module):
    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.norm = norm(width, 1e-6)
        self.proj_in, self.proj_out = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(width, context, heads)])

    def forward(self, x: Tensor, _: Tensor, context: Tensor) -> Tensor:
        y = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        y = self.transformer_blocks[0](y, context).transpose(1, 2).view_as(x)
        return x + self.proj_out(y)


class Halve(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor, *_: Tensor) -> Tensor:
        return self.op(x)


class Double(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, *_: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class CompVisUNet(nn.Module):
    """``UNetModel`` with a spatial transformer after every residual block, heads of ``head`` channels."""

    def __init__(self, widths: list[int], blocks: int, latent: int, context: int, head: int) -> None:
        super().__init__()
        time = 4 * widths[0]
        self.width = widths[0]
        self.time_embed = nn.Sequential(nn.Linear(widths[0], time), nn.SiLU(), nn.Linear(time, time))

        def attended(before: int, after: int) -> list[nn.Module]:
            return [UNetResidual(before, after, time), SpatialTransformer(after, context, after // head)]

        self.input_blocks = nn.ModuleList([nn.ModuleList([nn.Conv2d(latent, widths[0], 3, padding=1)])])
        kept = [widths[0]]
        for i, width in enumerate(widths):
            for _ in range(blocks):
                self.input_blocks.append(nn.ModuleList(attended(kept[-1], width)))
                kept.append(width)
            if i < len(widths) - 1:
                self.input_blocks.append(nn.ModuleList([Halve(width)]))
                kept.append(width)
        last = widths[-1]
        self.middle_block = nn.ModuleList([*attended(last, last), UNetResidual(last, last, time)])
        self.output_blocks, before = nn.ModuleList(), last
        for i, width in reversed(list(enumerate(widths))):
            for j in range(blocks + 1):
                parts = attended(before + kept.pop(), width)
                self.output_blocks.append(nn.ModuleList([*parts, Double(width)] if i and j == blocks else parts))
                before = width
        self.out = nn.Sequential(norm(before, 1e-5), nn.SiLU(), nn.Conv2d(before, latent, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        half = self.width // 2
        angles = t[:, None] * torch.exp(torch.arange(half) * (-math.log(10000) / half))
        time = self.time_embed(torch.cat([angles.cos(), angles.sin()], 1).to(x.dtype))
        kept = []
        for i, block in enumerate(self.input_blocks):
            for part in block:
                x = part(x, time, context) if i else part(x)
            kept.append(x)
        for part in self.middle_block:
            x = part(x, time, context)
        for block in self.output_blocks:
            x = torch.cat([x, kept.pop()], 1)
            for part in block:
                x = part(x, time, context)
        return self.out(x)


class CompVisLatentDiffusion(nn.Module):
    """``LatentDiffusion`` of the original release: U-Net, first stage, embeddings; no schedule and no average."""

    def __init__(self, unet: CompVisUNet, first_stage: CompVisFirstStage, context: int) -> None:
        super().__init__()
        self.model = Named(diffusion_model=unet)
        self.first_stage_model = first_stage
        self.cond_stage_model = Named(embedding=nn.Embedding(8, context), uncond_embedding=nn.Embedding(1, context))
