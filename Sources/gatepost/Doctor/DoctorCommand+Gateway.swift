import Foundation
import Gateway
import Store

/// The check of the running gateway: whether it has the files in force that the other checks read.
///
/// The gateway answers on its control socket, beside the store.
extension DoctorCommand {
    /// A change takes effect in the gateway within a second: until then the revisions may differ.
    private static let looks = 15
    private static let lookInterval = Duration.milliseconds(100)

    /// Compares the store of the running gateway with the store file.
    ///
    /// The store is nil if its file is unusable.
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

    /// Asks the gateway once.
    /// - Returns: the difference between the gateway's store and the file, with a remedy; nil if
    ///   there is none.
    private static func problem(
        _ store: PermissionStore?,
        configuration: GatewayConfiguration
    ) async throws -> String? {
        let answer = try await ControlClient.ask(
            ControlMessage.Request(state: true, actor: Actor.current.recorded),
            at: configuration.controlSocket
        )
        guard let state = answer.state else {
            return "it has another version and does not report its state: restart it"
        }
        if let problem = state.problem { return "shared mailboxes are refused: \(problem)" }
        guard let store else { return "there is no store file to compare with the gateway's" }
        guard state.store == store.file else {
            return
                "it has another store in force than \(configuration.storeLocation.name): restart it"
        }
        let revision = try store.revision()
        guard state.revision == revision else {
            return "it has revision \(state.revision) of the store in force, but the file has "
                + "\(revision): restart it"
        }
        return nil
    }
}
