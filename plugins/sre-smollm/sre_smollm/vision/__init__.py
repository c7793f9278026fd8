"""Pictures in prompts: read from files, made into ids, and looked at by an image-text model."""
