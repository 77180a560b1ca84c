import Foundation
import Gateway
import Store

/// The check that the file at the store's path is the one that the running gateway has in force.
///
/// Just after another file was moved there, SQLite's `-wal` and `-shm` files still belong to the
/// earlier one: a command that opened the database would write into them. If the gateway refused
/// the file, its roles are not those in force, and a change in it has no effect.
enum StoreInPlace {
    /// The gateway takes a replaced file within a second.
    private static let looks = 15
    private static let lookInterval = Duration.milliseconds(100)

    /// Checks the file, and waits until the gateway has taken it.
    ///
    /// It returns at once if no gateway runs or no file exists; opening the store reports the
    /// latter.
    /// - Throws: ``Failure`` if the gateway does not take the file.
    static func require(_ configuration: GatewayConfiguration) async throws {
        for _ in 0..<Self.looks {
            guard let file = FileIdentity(path: configuration.store),
                let answer = try? await ControlClient.ask(
                    ControlMessage.Request(state: true, actor: Actor.current.recorded),
                    at: configuration.controlSocket
                ),
                let state = answer.state, state.isStore(configuration.store)
            else { return }
            if state.store == file, state.waiting == nil { return }
            try await Task.sleep(for: Self.lookInterval)
        }
        throw Failure(
            "the gateway has another store in force than \(configuration.storeLocation.name): gatepost doctor says "
                + "why; put the earlier store back, or use gatepost store accept"
        )
    }
}
