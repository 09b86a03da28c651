"""What the tests stand on: real servers, a database for each test, people, a client like a browser."""
