import Foundation

/// Questions of commands to the gateways.
extension PostgreSQLEngine {
    /// The time between two looks for answers.
    private static let pause = Duration.milliseconds(20)

    /// A node that did not stop.
    private struct Node {
        var name: String
        var instance: Int64
        /// Milliseconds since it told that it lives.
        var silence: Int64

        /// Whether it told lately that it lives.
        var isLiving: Bool { self.silence < PostgreSQLSchema.lease }
    }

    /// Asks the gateways that live, and waits for the answers.
    func ask(_ question: NodeQuestion) throws -> NodeAnswers? {
        let id = Int64.random(in: 1..<Int64.max)
        let nodes = try self.send(question, id: id)
        var waiting = nodes.filter(\.isLiving)
        var answers = NodeAnswers()
        answers.lost = nodes.filter { !$0.isLiving }
            .map { NodeAnswers.LostNode(name: $0.name, seconds: $0.silence / 1_000) }
        let deadline = ContinuousClock.now + question.patience
        while !waiting.isEmpty, ContinuousClock.now < deadline {
            Thread.sleep(forTimeInterval: Self.pause / .seconds(1))
            let found = try self.answers(to: id)
            for node in waiting { answers.answers[node.name] = found[node.instance] }
            waiting.removeAll { found[$0.instance] != nil }
        }
        answers.silent = waiting.map(\.name)
        try self.remove(id)
        return answers
    }

    /// Writes a request for each gateway that lives, and tells them.
    /// - Returns: The nodes that the question is for.
    private func send(_ question: NodeQuestion, id: Int64) throws -> [Node] {
        try self.transaction { connection in
            let rows = try connection.result(sql: PostgreSQLSchema.notStopped, arguments: []).rows
            let nodes = rows.map { row in
                Node(
                    name: row.required("name"),
                    instance: row.required("instance"),
                    silence: row.required("silence")
                )
            }.filter { question.node == nil || question.node == $0.name }
            for node in nodes where node.isLiving {
                try connection.execute(
                    sql: PostgreSQLSchema.ask,
                    arguments: [
                        id, node.instance, question.session.map(Int64.init(clamping:)),
                        question.actor,
                    ]
                )
            }
            try connection.run("NOTIFY \(PostgreSQLTables.requests)")
            return nodes
        }
    }

    /// The answers so far, by the gateway's process.
    private func answers(to id: Int64) throws -> [Int64: String] {
        try self.transaction { connection in
            let rows = try connection.result(sql: PostgreSQLSchema.answers, arguments: [id]).rows
            return Dictionary(
                rows.map { ($0.required("instance"), $0.required("answer")) },
                uniquingKeysWith: { first, _ in first }
            )
        }
    }

    /// Removes a request with its answers.
    private func remove(_ id: Int64) throws {
        try self.transaction { connection in
            for sql in PostgreSQLSchema.removeRequests {
                try connection.execute(sql: sql, arguments: [id])
            }
        }
    }

    /// A transaction without a lock, whose commit waits for no disk.
    private func transaction<Value>(
        _ body: (PostgreSQLConnection) throws -> Value
    ) throws -> Value {
        try self.explaining {
            try self.pool.transaction("BEGIN; SET LOCAL synchronous_commit = off", body: body)
        }
    }
}
