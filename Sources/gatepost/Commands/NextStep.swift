import ArgumentParser
import Gateway
import Store

/// What an administrator does next: the answer to `gatepost` without arguments.
enum NextStep {
    /// The lines to print.
    /// - Throws: ``Failure`` or `StoreError` if the configuration or the store is there and cannot be
    ///   read.
    static func text() async throws -> String {
        guard (try? GatewayConfiguration.locate(nil)) != nil else {
            return self.lines(
                "There is no gatepost.yaml that you can read, here or in /etc/gatepost.",
                steps: ("gatepost init", "write a configuration, a store and certificates"),
                ("gatepost demo", "try a gateway in front of sample mailboxes")
            )
        }
        let option = try ConfigurationOption.parse([])
        let configuration = try await option.load()
        let store = try await option.openStore()
        guard try !store.users().isEmpty else {
            return self.lines(
                "\(configuration.file) has no users yet.",
                steps: ("gatepost user import FILE.csv", "add many users with their mailboxes"),
                ("gatepost user add LOGIN", "add one user")
            )
        }
        guard try !store.accounts().isEmpty else {
            return self.lines(
                "\(configuration.file) has users, and no mailboxes yet.",
                steps: ("gatepost account add ADDRESS", "add a mailbox")
            )
        }
        do {
            _ = try await ControlClient.ask(
                ControlMessage.Request(state: true, actor: Actor.current.recorded),
                at: configuration.controlSocket
            )
        } catch is ControlClient.NotRunning {
            return self.lines(
                "No gateway runs with \(configuration.file).",
                steps: ("gatepost doctor", "check everything"),
                ("gatepost serve", "run the gateway here"),
                ("gatepost service", "run it as a service")
            )
        }
        return self.lines(
            "A gateway runs with \(configuration.file).",
            steps: ("gatepost doctor", "check everything"),
            ("gatepost grant add ACCOUNT WHO", "share a mailbox"),
            ("gatepost session list", "see who is connected")
        )
    }

    /// The situation, and commands with their purposes.
    private static func lines(_ situation: String, steps: (String, String)...) -> String {
        let width = steps.map(\.0.count).max() ?? 0
        let commands = steps.map { command, purpose in
            "  \(command)\(String(repeating: " ", count: width - command.count))   \(purpose)"
        }
        let help = "All commands: gatepost help"
        return ([situation, "Next:"] + commands + [help]).joined(separator: "\n")
    }
}
