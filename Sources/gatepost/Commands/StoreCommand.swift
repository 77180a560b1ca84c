import ArgumentParser
import Gateway
import Store

/// `gatepost store VERB`: the store of the gateway.
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Manage the store of the gateway.",
        subcommands: [Accept.self, Create.self, Migrate.self]
    )

    /// `gatepost store accept`: puts an older store into force, for example a restored backup.
    ///
    /// A running gateway refuses a store that lacks a change which was in force. Roles do not
    /// count: the file that is not in force would decide who has which role.
    ///
    /// It prints the revision that is in force afterwards, and fails if no store waits for
    /// acceptance.
    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a store into force that lacks changes, such as a restored backup.",
            discussion: "Only root, or the gateway's user without sudo, may do this."
        )

        /// The gateway checks the file five times a second: wait for three seconds.
        private static let looks = 30
        private static let lookInterval = Duration.milliseconds(100)

        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption

        func run() async throws {
            // The file that is not in force would decide who has which role.
            guard Actor.current.userID == 0 || Actor.current.original == nil else {
                throw Failure("only root puts a store into force, regardless of roles: use root")
            }
            let actor = Actor.current.recorded
            let path = try await self.configuration.load().controlSocket
            let state = try await Self.ask(.init(state: true, actor: actor), path: path)
            guard let waiting = state.waiting else {
                throw Failure(
                    state.problem.map { "no older store waits for acceptance: \($0)" }
                        ?? "no older store waits for acceptance: see gatepost doctor"
                )
            }
            try self.confirmation.confirm(
                "Put revision \(waiting.revision) into force instead of \(state.revision), with its grants "
                    + "and without later removals"
            )
            _ = try await Self.ask(.init(accept: waiting, actor: actor), path: path)
            for _ in 0..<Self.looks {
                try await Task.sleep(for: Self.lookInterval)
                let state = try await Self.ask(.init(state: true, actor: actor), path: path)
                if state.problem == nil { return print("revision \(state.revision) is in force") }
            }
            throw Failure("the gateway did not take the store: see gatepost doctor")
        }

        /// Sends a request to the running gateway.
        /// - Returns: the state of the gateway's store.
        /// - Throws: ``Failure`` if no gateway runs, it refuses, or it has another version.
        private static func ask(
            _ request: ControlMessage.Request,
            path: String
        ) async throws -> GatewayState {
            do {
                let answer = try await ControlClient.ask(request, at: path)
                guard let state = answer.state else {
                    throw Failure("the gateway has another version: restart it")
                }
                return state
            } catch is ControlClient.NotRunning {
                throw Failure(
                    "no gateway runs here (\(path)): gatepost serve loads the store at its start"
                )
            }
        }
    }
}
