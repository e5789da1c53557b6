"""The statements of the migrations, a file for each."""
