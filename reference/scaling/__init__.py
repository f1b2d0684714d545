"""Auto scaling: provisioned units that follow what is consumed (Application Auto Scaling, target tracking)."""
