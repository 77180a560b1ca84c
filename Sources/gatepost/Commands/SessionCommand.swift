import ArgumentParser
import Gateway
import Store

/// `gatepost session VERB`: connections of the running gateway, over its control socket, or of the
/// gateways of all nodes that share a store in PostgreSQL, through the database.
///
/// It requires the role `administrator`.
struct SessionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: "List and end the connections of users to the running gateways.",
        subcommands: [List.self, End.self]
    )

    /// `gatepost session list`
    ///
    /// `--json` prints an array of `SessionSummary`:
    /// `{"session":7,"user":"anna@kanzlei.example","protocol":"imap","from":"192.0.2.5",`
    /// `"since":1796011063,"account":"info@kanzlei.example","folder":"INBOX"}`. `protocol` is
    /// `imap` or `submission`, `since` is in seconds since 1970. `account` and `folder` name the
    /// open folder; without one they are absent. With a store in PostgreSQL each has its `node`, and
    /// the exit status is 1 if a node did not answer.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the connections with user, address and open folder."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let listed = try await SessionCommand.list(
                store,
                actor: actor,
                configuration: self.configuration
            )
            try self.print(listed.sessions)
            for node in listed.lost {
                Output.note(
                    "\(node.name) was last seen \(node.seconds) seconds ago; if it hangs, its connections are not in the list"
                )
            }
            try listed.requireComplete()
        }

        /// Prints sessions.
        private func print(_ sessions: [SessionSummary]) throws {
            if self.output.json { return try Output.json(sessions) }
            Output.table(
                ["SESSION", "USER", "PROTOCOL", "FROM", "SINCE", "OPEN"],
                rows: sessions.map { session in
                    [
                        "\(SessionIdentifier(session.session, node: session.node))", session.user,
                        session.protocol, session.from ?? "",
                        Output.date(session.since),
                        [session.account, session.folder].compactMap { $0 }.joined(separator: " "),
                    ]
                }
            )
        }
    }

    /// `gatepost session end SESSION` or `gatepost session end --user LOGIN`: the user may log in again
    /// at once.
    struct End: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a connection, or all connections of a user.",
            discussion: "The user may log in again: gatepost user disable prevents that."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(
            help: "The connection as gatepost session list shows it, such as 7 or mail1/7."
        ) var session: SessionIdentifier?
        @Option(help: "End all connections of this user instead.") var user: String?

        /// - Throws: `ValidationError` for neither of them, and for both.
        func validate() throws {
            guard (self.session == nil) != (self.user == nil) else {
                throw ValidationError("name a session or use --user LOGIN, and not both")
            }
        }

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            if let session = self.session {
                guard try await self.end(session, store: store, actor: actor) else {
                    throw Failure("no session \(session): see gatepost session list")
                }
                print("ended; to prevent another login: gatepost user disable LOGIN")
                return
            }
            try await self.endAll(store, actor: actor)
        }

        /// Ends all sessions of the user.
        private func endAll(_ store: PermissionStore, actor: String) async throws {
            let login = try store.user(self.user ?? "").login
            let listed = try await SessionCommand.list(
                store,
                actor: actor,
                configuration: self.configuration
            )
            var count = 0
            for session in listed.sessions where session.user == login {
                let identifier = SessionIdentifier(session.session, node: session.node)
                // A session may have ended meanwhile.
                if try await self.end(identifier, store: store, actor: actor) { count += 1 }
            }
            print("\(count) ended; to prevent another login: gatepost user disable \(login)")
            try listed.requireComplete()
        }

        /// Ends a session.
        /// - Returns: whether there was one.
        private func end(
            _ session: SessionIdentifier,
            store: PermissionStore,
            actor: String
        ) async throws -> Bool {
            if let hasEnded = try NodeSessions(store: store, actor: actor).end(session) {
                return hasEnded
            }
            guard session.node == nil else { return false }
            let request = ControlMessage.Request(end: session.number, actor: actor)
            return try await SessionCommand.ask(request, of: self.configuration).hasEnded == true
        }
    }

    /// The sessions of the gateway of this machine, or of all nodes that share the store.
    private static func list(
        _ store: PermissionStore,
        actor: String,
        configuration: ConfigurationOption
    ) async throws -> NodeSessions.Listed {
        if let listed = try NodeSessions(store: store, actor: actor).list() { return listed }
        let request = ControlMessage.Request(actor: actor)
        let answer = try await self.ask(request, of: configuration)
        return NodeSessions.Listed(sessions: answer.sessions ?? [])
    }

    /// Sends a request to the running gateway of this machine.
    /// - Throws: ``Failure`` if no gateway runs or it refuses.
    private static func ask(
        _ request: ControlMessage.Request,
        of configuration: ConfigurationOption
    ) async throws -> ControlMessage.Answer {
        let path = try await configuration.load().controlSocket
        do {
            return try await ControlClient.ask(request, at: path)
        } catch is ControlClient.NotRunning {
            throw Failure("no gateway runs here (\(path)): start it with gatepost serve")
        }
    }
}
