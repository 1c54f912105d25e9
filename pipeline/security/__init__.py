"""Security of the bus: which role may do what on Kafka, and the script that tells Kafka so."""
