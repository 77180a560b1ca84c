import Access
import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix
import Store
import Synchronization

/// The Unix domain socket for administrators' commands, in the folder of the store. The kernel
/// identifies the user at the other end: only the gateway's own user and root may send commands.
final class ControlSocket: Sendable {
    /// What commands read and change.
    private let gateway: GatewayContext
    /// The sessions that commands list and end.
    private let listeners: any ControlledSessions
    /// The listening socket; nil before ``bind(on:)`` and after a failure.
    private let socket = Mutex<(any Channel)?>(nil)

    init(gateway: GatewayContext, listeners: any ControlledSessions) {
        self.gateway = gateway
        self.listeners = listeners
    }

    /// The path of the socket.
    private var path: String { self.gateway.configuration.controlSocket }

    /// Binds the socket. After a failure, which is logged, the gateway still serves clients, but
    /// `session`, `account test`, `doctor` and `store accept` do not reach it.
    func bind(on group: any EventLoopGroup) async {
        let other = try? await ClientBootstrap(group: group)
            .connect(unixDomainSocketPath: self.path).get()
        if let other {
            try? await other.close().get()
            return self.gateway.logger.error(
                "another gateway uses the control socket: commands reach that one, not this one",
                metadata: ["path": "\(self.path)"]
            )
        }
        unlink(self.path)
        do {
            let channel = try await ServerBootstrap(group: group)
                .childChannelInitializer { [gateway = self.gateway, listeners] channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Pipeline.addControl(
                            ControlHandler(gateway: gateway, listeners: listeners),
                            to: channel
                        )
                    }
                }
                .bind(unixDomainSocketPath: self.path)
                .get()
            chmod(self.path, 0o600)
            self.socket.withLock { $0 = channel }
        } catch {
            self.gateway.logger.error(
                "no control socket: session, account test, doctor and store accept do not reach the gateway",
                metadata: ["path": "\(self.path)", "error": "\(ConnectionFailure(error).reason)"]
            )
        }
    }

    /// Closes and removes the socket.
    func close() async {
        guard let channel = self.socket.withLock({ $0 }) else { return }
        try? await channel.close().get()
        unlink(self.path)
    }
}
