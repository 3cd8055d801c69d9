"""The steps by which the schema came to be; each is applied once, and none is changed after a release."""
