"""One file per kind of data set: each reads studies and reports and lists what it refused."""
