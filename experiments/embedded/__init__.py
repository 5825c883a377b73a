"""What ships with facegen: small networks trained on the embedded people alone. There is no paper behind them."""

from experiments.embedded import face_judge

STAGES = {"face_judge": face_judge}
