"""The national messages 3101, 3102 and 3103: documents into values and values into documents, without any HTTP."""
