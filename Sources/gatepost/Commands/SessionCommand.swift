import ArgumentParser
import Gateway
import Store

/// `gatepost session …`: asks the running gateway.
struct SessionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: "Look at who is connected to the running gateway, and end sessions.",
        subcommands: [List.self, End.self]
    )

    /// `gatepost session list …`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List who is connected, with what is open."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let answer = try await SessionCommand.ask(end: nil, self.configuration)
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

    /// `gatepost session end …`
    struct End: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a session; its user may log in again."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "Its number in `gatepost session list`.") var session: UInt64

        func run() async throws {
            let answer = try await SessionCommand.ask(end: self.session, self.configuration)
            guard answer.hasEnded == true else {
                throw Failure("no session \(self.session): gatepost session list")
            }
            print("ended; the user may log in again (gatepost user disable LOGIN)")
        }
    }

    private static func ask(
        end: UInt64?,
        _ configuration: ConfigurationOption
    ) async throws -> ControlMessage.Answer {
        let (_, actor) = try await configuration.openForChange(.administrator)
        let path = try await configuration.load().controlSocket
        do {
            return try await ControlClient.ask(.init(end: end, actor: actor), at: path)
        } catch is ControlClient.NotRunning {
            throw Failure("no gateway runs here (\(path)): gatepost serve")
        }
    }
}
