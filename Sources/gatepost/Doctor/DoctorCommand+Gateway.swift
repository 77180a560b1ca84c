import Foundation
import Gateway
import Store

/// What `doctor` finds in the gateway that runs: its files may be in order, and not be those that it
/// has in force.
extension DoctorCommand {
    /// A change counts in the gateway within a second; then it has to have the same revision.
    private static let looks = 15
    private static let lookInterval = Duration.milliseconds(100)

    static func checkGateway(
        _ store: PermissionStore?,
        configuration: GatewayConfiguration
    ) async -> Finding {
        let subject = "running gateway"
        do {
            var problem: String?
            for _ in 0..<Self.looks {
                problem = try await Self.problem(store, configuration: configuration)
                if problem == nil { return Finding(subject: subject, state: "ok") }
                try await Task.sleep(for: Self.lookInterval)
            }
            return Finding(subject: subject, state: "failed", remedy: problem)
        } catch is ControlClient.NotRunning {
            return Finding(subject: subject, state: "not running", remedy: "gatepost serve")
        } catch {
            return Finding(subject: subject, state: "failed", remedy: "\(error)")
        }
    }

    /// - Returns: how what the gateway has in force differs from the file; nil where it does not.
    private static func problem(
        _ store: PermissionStore?,
        configuration: GatewayConfiguration
    ) async throws -> String? {
        let answer = try await ControlClient.ask(
            ControlMessage.Request(state: true, actor: Actor.current.recorded),
            at: configuration.controlSocket
        )
        guard let state = answer.state else {
            return "it is of another version, and does not tell its state: restart it"
        }
        if let problem = state.problem { return "shared mailboxes are refused: \(problem)" }
        guard let store else { return "there is no store that could be compared with its own" }
        guard state.store == FileIdentity(path: configuration.store) else {
            return "it has another file in force than \(configuration.store): restart it"
        }
        let revision = try store.revision()
        guard state.revision == revision else {
            return "it has revision \(state.revision) of the store in force, and the file has "
                + "\(revision): restart it"
        }
        return nil
    }
}
