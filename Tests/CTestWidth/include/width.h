// The target has no functions: it sets the number of tests that run at once when it is loaded.
