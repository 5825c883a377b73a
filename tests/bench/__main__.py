"""``python -m tests.bench``: every benchmark."""

from tests.bench import (
    bench_bp4d,
    bench_denoiser,
    bench_guidance,
    bench_meshes,
    bench_pictures,
    bench_population,
    bench_render,
    bench_specificity,
    bench_textures,
    bench_unrolled,
)

if __name__ == "__main__":
    bench_meshes.main()
    bench_bp4d.main()
    bench_textures.main()
    bench_pictures.main()
    bench_population.main()
    bench_render.main()
    bench_specificity.main()
    bench_guidance.main()
    bench_denoiser.main()
    bench_unrolled.main()
