"""What takes the addresses of a pool without `pulumi up`: lists of a cloud that rules refer to."""
