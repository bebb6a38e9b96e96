"""Risk terrain: factors to candidate columns to a model to scores."""
