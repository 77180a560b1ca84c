import Access
import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix
import Store
import Synchronization

/// A socket on this machine for administrators' commands, beside the store. Whoever connects is
/// known by the operating system: the gateway's own user, or root.
final class ControlSocket: Sendable {
    private let gateway: GatewayContext
    private let listeners: any ControlledSessions
    private let socket = Mutex<(any Channel)?>(nil)

    init(gateway: GatewayContext, listeners: any ControlledSessions) {
        self.gateway = gateway
        self.listeners = listeners
    }

    private var path: String { self.gateway.configuration.controlSocket }

    /// Without it `session`, `account test`, `doctor` and `store accept` do not reach the gateway; clients are served
    /// all the same.
    func bind(on group: any EventLoopGroup) async {
        let other = try? await ClientBootstrap(group: group)
            .connect(unixDomainSocketPath: self.path).get()
        if let other {
            try? await other.close().get()
            return self.gateway.logger.error(
                "another gateway has the socket for commands: they reach that one, and not this",
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
                "no socket for commands: session, account test, doctor and store accept do not reach the gateway",
                metadata: ["path": "\(self.path)", "error": "\(ConnectionFailure(error).reason)"]
            )
        }
    }

    func close() async {
        guard let channel = self.socket.withLock({ $0 }) else { return }
        try? await channel.close().get()
        unlink(self.path)
    }
}
