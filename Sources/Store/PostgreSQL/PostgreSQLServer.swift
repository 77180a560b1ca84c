/// A database of PostgreSQL, and the name of this node among those that share it.
package struct PostgreSQLServer: Equatable, Sendable {
    /// The connection URI (PostgreSQL documentation, "Connection URIs"). It may have a password.
    package var url: String
    /// The node's name: each node writes an audit log of its own.
    package var node: String
    /// The folder in which the node keeps what no other node needs, such as copies of messages that
    /// wait for a mail server.
    package var state: String

    /// Creates the value.
    package init(url: String, node: String, state: String) {
        self.url = url
        self.node = node
        self.state = state
    }
}
