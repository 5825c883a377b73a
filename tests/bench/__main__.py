"""``python -m tests.bench``: every benchmark."""

from tests.bench import bench_meshes, bench_textures

if __name__ == "__main__":
    bench_meshes.main()
    bench_textures.main()
