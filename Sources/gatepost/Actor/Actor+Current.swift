import Foundation
import Store

/// The operating-system user who runs the command.
extension Actor {
    /// The user of this process, and the user who called sudo, from `SUDO_USER`.
    static var current: Actor {
        let environment = ProcessInfo.processInfo.environment
        let original = environment["SUDO_USER"].flatMap { $0.isEmpty || $0 == "root" ? nil : $0 }
        return Actor(name: NSUserName(), userID: getuid(), original: original)
    }

    /// Whether a user other than root runs this process as another user by sudo.
    var isBySudo: Bool { self.original != nil && geteuid() != 0 }
}
