//! Builds every part and owns its life: start order, signals, soft then hard stop.
