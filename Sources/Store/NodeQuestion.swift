/// What an administrator's command asks the gateways of the nodes.
package struct NodeQuestion: Equatable, Sendable {
    /// The number of the session to end; nil for a list of all sessions.
    package var session: UInt64?
    /// The node to ask; nil for all.
    package var node: String?
    /// Who asks, for the audit log.
    package var actor: String
    /// How long to wait for the answers. A gateway answers within some milliseconds.
    package var patience: Duration

    /// Creates a question.
    package init(
        session: UInt64? = nil,
        node: String? = nil,
        actor: String,
        patience: Duration = .seconds(3)
    ) {
        self.session = session
        self.node = node
        self.actor = actor
        self.patience = patience
    }
}

/// What the nodes answered.
package struct NodeAnswers: Equatable, Sendable {
    /// The answers by the node's name, as the gateways wrote them.
    package var answers: [String: String] = [:]
    /// The nodes that live, and did not answer in time.
    package var silent: [String] = []
    /// The nodes that were lost in the last minutes without a stop. One may hang, and still have
    /// connections.
    package var lost: [LostNode] = []

    /// A node that has not told that it lives.
    package struct LostNode: Equatable, Sendable {
        /// The node's name.
        package var name: String
        /// The seconds since it told that it lives.
        package var seconds: Int64
    }
}

/// A request of a command to the gateway of this node.
package struct NodeRequest: Equatable, Sendable {
    /// A random number.
    package var id: Int64
    /// The number of the session to end; nil for a list of all sessions.
    package var session: UInt64?
    /// Who asks, for the audit log.
    package var actor: String
}
