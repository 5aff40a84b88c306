"""The rights board (维权信息告示牌): content, completeness, versions."""
