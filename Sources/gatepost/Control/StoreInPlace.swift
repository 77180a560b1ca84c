import Foundation
import Gateway
import Store

/// Whether the file at the store's path is the one that the running gateway has in force.
///
/// Where another file has just taken its place, SQLite's files beside it are those of the one before:
/// a command that opened it would write into them. Where it is refused, the gateway's roles are not
/// those that it has, and what is changed in it is not in force.
enum StoreInPlace {
    /// A file that takes the place of the one in force counts within a second.
    private static let looks = 15
    private static let lookInterval = Duration.milliseconds(100)

    /// Returns at once where no gateway runs, and where there is no file: opening it says that.
    /// - Throws: ``Failure`` where the gateway does not take the file.
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
            "the gateway does not have \(configuration.store) in force: gatepost doctor says why; "
                + "put the store back that was in force, or say gatepost store accept"
        )
    }
}
