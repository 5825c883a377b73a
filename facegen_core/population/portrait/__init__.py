"""Pictures of embedded people: heads with hair, clothes and a place behind them, under a light, before a camera."""
