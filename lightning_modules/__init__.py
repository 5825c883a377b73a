"""One LightningModule a training stage, and the callbacks that decide what is measured, drawn and saved."""
