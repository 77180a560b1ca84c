import ArgumentParser
import Gateway
import Store

/// `gatepost session VERB`: connections of the running gateway, over its control socket.
///
/// It requires the role `administrator`.
struct SessionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: "List and end the connections of users to the running gateway.",
        subcommands: [List.self, End.self]
    )

    /// `gatepost session list`
    ///
    /// `--json` prints an array of `SessionSummary`:
    /// `{"session":7,"user":"anna@kanzlei.example","protocol":"imap","from":"192.0.2.5",`
    /// `"since":1796011063,"account":"info@kanzlei.example","folder":"INBOX"}`. `protocol` is
    /// `imap` or `submission`, `since` is in seconds since 1970. `account` and `folder` name the
    /// open folder; without one they are absent.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the connections with user, address and open folder."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let answer = try await SessionCommand.ask(end: nil, configuration: self.configuration)
            let sessions = answer.sessions ?? []
            if self.output.json { return try Output.json(sessions) }
            Output.table(
                ["SESSION", "USER", "PROTOCOL", "FROM", "SINCE", "OPEN"],
                rows: sessions.map { session in
                    [
                        "\(session.session)", session.user, session.protocol, session.from ?? "",
                        Output.date(session.since),
                        [session.account, session.folder].compactMap { $0 }.joined(separator: " "),
                    ]
                }
            )
        }
    }

    /// `gatepost session end SESSION`: the user may log in again at once.
    struct End: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a connection.",
            discussion: "The user may log in again: gatepost user disable prevents that."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The connection's number in gatepost session list.") var session: UInt64

        func run() async throws {
            let answer = try await SessionCommand.ask(
                end: self.session,
                configuration: self.configuration
            )
            guard answer.hasEnded == true else {
                throw Failure("no session \(self.session): see gatepost session list")
            }
            print("ended; to prevent another login: gatepost user disable LOGIN")
        }
    }

    /// Sends a request to the running gateway.
    /// - Parameter end: the session to end; nil for the list.
    /// - Throws: ``Failure`` if no gateway runs or it refuses, `StoreError` without the role.
    private static func ask(
        end: UInt64?,
        configuration: ConfigurationOption
    ) async throws -> ControlMessage.Answer {
        let (_, actor) = try await configuration.openForChange(.administrator)
        let path = try await configuration.load().controlSocket
        do {
            return try await ControlClient.ask(.init(end: end, actor: actor), at: path)
        } catch is ControlClient.NotRunning {
            throw Failure("no gateway runs here (\(path)): start it with gatepost serve")
        }
    }
}
