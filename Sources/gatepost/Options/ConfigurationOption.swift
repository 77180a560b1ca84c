import ArgumentParser
import Foundation
import Gateway
import Store

/// Where the configuration is.
struct ConfigurationOption: ParsableArguments {
    @Option(help: "The configuration (default: GATEPOST_CONFIG, gatepost.yaml, /etc/gatepost).")
    var config: String?

    /// Reads the configuration; by sudo root's only, and nothing from the environment.
    /// - Throws: ``Failure`` where it cannot be used.
    func load() async throws -> GatewayConfiguration {
        do {
            guard Actor.current.isBySudo else {
                return try await GatewayConfiguration(
                    file: try GatewayConfiguration.locate(self.config)
                )
            }
            // It says which store is asked for roles, and where secrets are sent: neither the folder
            // that the caller is in nor the caller's environment says which one it is.
            let file = try TrustedPath.configuration.require(
                self.config ?? GatewayConfiguration.systemFile
            )
            return try await GatewayConfiguration(file: file, readsEnvironment: false) { path in
                try TrustedPath.named.require(path)
            }
        } catch let error as ConfigurationError {
            throw Failure(error.description)
        }
    }
}
