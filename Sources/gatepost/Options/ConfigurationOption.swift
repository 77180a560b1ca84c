import ArgumentParser
import Foundation
import Gateway
import Store

/// `--config FILE`: the configuration that the command uses.
struct ConfigurationOption: ParsableArguments {
    /// A path; nil for the first of `GATEPOST_CONFIG`, `gatepost.yaml` and
    /// `/etc/gatepost/gatepost.yaml`.
    @Option(
        help: "Use this configuration (GATEPOST_CONFIG, else gatepost.yaml, else /etc/gatepost)."
    )
    var config: String?

    /// Reads the configuration.
    ///
    /// A caller who came by sudo gets only a configuration that root wrote, and no environment
    /// variable is read.
    /// - Throws: ``Failure`` with the key or file that is wrong.
    func load() async throws -> GatewayConfiguration {
        do {
            guard Actor.current.isBySudo else {
                return try await GatewayConfiguration(
                    file: try GatewayConfiguration.locate(self.config)
                )
            }
            // The configuration says which store decides about roles and where secrets are sent. A
            // caller who came by sudo must not choose it by the current folder or the environment.
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
