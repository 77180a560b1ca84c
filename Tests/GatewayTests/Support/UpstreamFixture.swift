import NIOCore
import Store
import Support

@testable import Gateway

/// What connections to mail servers share, over a store of a test's own.
enum UpstreamFixture {
    /// The least that a configuration has, for a store.
    static func configuration(_ fixture: StoreFixture) -> GatewayConfiguration {
        GatewayConfiguration(
            file: fixture.folder.path("gatepost.yaml"),
            listeners: [],
            certificates: [],
            storeLocation: fixture.store.location,
            masterKey: fixture.folder.path("master.key"),
            threads: 1,
            logLevel: "info",
            limits: self.limits,
            hostName: "mail.gateway.example",
            exchange: nil,
            oversight: GatewayConfiguration.Oversight(),
            runAs: nil
        )
    }

    /// No server is given up because the machine is busy.
    private static var limits: GatewayConfiguration.Limits {
        var limits = GatewayConfiguration.Limits()
        limits.upstreamTimeout = .hours(1)
        limits.upstreamAnswerTime = .hours(1)
        limits.upstreamWorkTime = .hours(1)
        limits.upstreamTransferTime = .hours(1)
        return limits
    }

    static func services(
        _ fixture: StoreFixture,
        permissions: CurrentPermissions? = nil
    ) throws -> UpstreamServices {
        let configuration = self.configuration(fixture)
        return UpstreamServices(
            UpstreamServices.Dependencies(
                limits: configuration.limits,
                hostName: configuration.hostName,
                credentials: CredentialSource(fixture.masterKey, application: nil),
                permissions: try permissions ?? fixture.permissions(),
                logger: fixture.log.logger,
                connector: SocketConnector(descriptors: DescriptorBudget(limit: 1_000))
            )
        )
    }
}
