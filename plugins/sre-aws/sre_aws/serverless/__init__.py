"""JavaScript of workflows as functions of AWS Lambda."""
