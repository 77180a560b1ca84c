import ArgumentParser
import Gateway
import Store

/// `gatepost store …`
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Manage the file that the running gateway has as its store.",
        subcommands: [Accept.self]
    )

    /// `gatepost store accept …`
    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a store into force that lacks changes of the one that was in force.",
            discussion: "For root, or without sudo the user that the gateway runs as."
        )

        /// The gateway looks at the file five times a second.
        private static let looks = 30
        private static let lookInterval = Duration.milliseconds(100)

        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption

        func run() async throws {
            // Who has which role is what the file would say that is not in force.
            guard Actor.current.userID == 0 || Actor.current.original == nil else {
                throw Failure("only root puts a store into force: no role counts for that")
            }
            let actor = Actor.current.recorded
            let path = try await self.configuration.load().controlSocket
            let state = try await Self.ask(.init(state: true, actor: actor), path: path)
            guard let waiting = state.waiting else {
                throw Failure(
                    state.problem.map { "no older store waits to be accepted: \($0)" }
                        ?? "no older store waits to be accepted: gatepost doctor"
                )
            }
            try self.confirmation.confirm(
                "Put revision \(waiting.revision) into force instead of \(state.revision), with what was "
                    + "granted then and taken away since"
            )
            _ = try await Self.ask(.init(accept: waiting, actor: actor), path: path)
            for _ in 0..<Self.looks {
                try await Task.sleep(for: Self.lookInterval)
                let state = try await Self.ask(.init(state: true, actor: actor), path: path)
                if state.problem == nil { return print("revision \(state.revision) is in force") }
            }
            throw Failure("the gateway did not take the store: gatepost doctor")
        }

        private static func ask(
            _ request: ControlMessage.Request,
            path: String
        ) async throws -> GatewayState {
            do {
                let answer = try await ControlClient.ask(request, at: path)
                guard let state = answer.state else {
                    throw Failure("the gateway is of another version: restart it")
                }
                return state
            } catch is ControlClient.NotRunning {
                throw Failure(
                    "no gateway runs here (\(path)): gatepost serve takes the store as it is"
                )
            }
        }
    }
}
