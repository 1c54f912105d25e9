"""What we do with it: ingest, the three stages, Kafka, operations."""
