"""The one place that constructs things: configuration in, running parts out."""
