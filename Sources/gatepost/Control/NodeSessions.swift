import Foundation
import Gateway
import Store

/// The sessions of the gateways of all nodes that share a store in PostgreSQL.
struct NodeSessions {
    let store: PermissionStore
    /// Who asks, for the audit log.
    let actor: String

    /// The sessions of all nodes that answered, and why others may be missing.
    struct Listed {
        var sessions: [SessionSummary] = []
        /// The nodes that live, and did not answer.
        var silent: [String] = []
        /// Nodes that were lost, and may hang.
        var lost: [NodeAnswers.LostNode] = []

        /// - Throws: ``Failure`` if a node did not answer.
        func requireComplete() throws(Failure) {
            guard self.silent.isEmpty else {
                throw Failure(
                    "the list is not complete: \(self.silent.joined(separator: ", ")) did not answer"
                )
            }
        }
    }

    /// Lists the sessions, by node and number.
    /// - Returns: nil for a store in a file.
    /// - Throws: ``Failure`` if no gateway uses the store, `StoreError`.
    func list() throws -> Listed? {
        guard let found = try self.store.ask(NodeQuestion(actor: self.actor)) else { return nil }
        guard !found.answers.isEmpty || !found.silent.isEmpty else {
            throw self.nobody(found.lost)
        }
        var listed = Listed(silent: found.silent, lost: found.lost)
        for (node, text) in found.answers.sorted(by: { $0.key < $1.key }) {
            listed.sessions +=
                try self.answer(text, of: node).sessions?.map { session in
                    var session = session
                    session.node = node
                    return session
                } ?? []
        }
        return listed
    }

    /// Ends a session.
    /// - Returns: whether there was one; nil for a store in a file.
    /// - Throws: ``Failure`` if the node does not answer, or if the session has no node and there
    ///   are several.
    func end(_ session: SessionIdentifier) throws -> Bool? {
        guard case .postgreSQL = self.store.location else { return nil }
        let node = try session.node ?? self.onlyNode(for: session)
        let question = NodeQuestion(session: session.number, node: node, actor: self.actor)
        guard let found = try self.store.ask(question) else { return nil }
        if let text = found.answers[node] {
            return try self.answer(text, of: node).hasEnded ?? false
        }
        throw Self.noAnswer(of: node, in: found)
    }

    /// Why a node did not answer that was asked to end a session. One that lives may have ended it,
    /// or may still end it; one that was lost was not asked.
    static func noAnswer(of node: String, in found: NodeAnswers) -> Failure {
        if !found.silent.isEmpty {
            return Failure(
                "\(node) does not answer, and may have ended the session or not: "
                    + "see gatepost session list, and check the gateway there"
            )
        }
        guard found.lost.isEmpty else {
            return Failure(
                "\(node) does not answer, and the session was not ended: check the gateway there"
            )
        }
        return Failure("no gateway has the name \(node): see gatepost session list")
    }

    /// The name of the node, if there is one.
    private func onlyNode(for session: SessionIdentifier) throws -> String {
        let nodes = try self.store.livingNodes()
        guard let node = nodes.first else { throw self.nobody([]) }
        guard nodes.count == 1 else {
            throw Failure(
                "several nodes may have a session \(session): name the node, such as "
                    + "\(SessionIdentifier(session.number, node: node))"
            )
        }
        return node
    }

    /// Why there is no answer.
    private func nobody(_ lost: [NodeAnswers.LostNode]) -> Failure {
        let names = lost.map { "\($0.name) was last seen \($0.seconds) seconds ago" }
        return Failure(
            "no gateway uses the \(self.store.location.name)"
                + (names.isEmpty ? "" : " (\(names.joined(separator: ", ")))")
                + ": start one with gatepost serve"
        )
    }

    /// Reads an answer.
    /// - Throws: ``Failure`` for that of another version.
    private func answer(_ text: String, of node: String) throws -> ControlMessage.Answer {
        let octets = Data(text.utf8)
        guard let answer = try? JSONDecoder().decode(ControlMessage.Answer.self, from: octets)
        else {
            throw Failure(
                "this version cannot read the answer of \(node): update the gateway there"
            )
        }
        return answer
    }
}
