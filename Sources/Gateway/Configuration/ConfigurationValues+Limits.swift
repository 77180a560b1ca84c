import Configuration
import Exchange
import Foundation
import NIOCore
import Session
import Store
import SystemPackage

/// The part `limits`.
extension ConfigurationValues {
    /// The limits, with the default for each missing key.
    /// - Throws: ``ConfigurationError`` for a value outside its range.
    func limits() throws -> GatewayConfiguration.Limits {
        var limits = GatewayConfiguration.Limits()
        if let value = try self.number("limits.connectionsPerAddress", range: 1...1_000_000) {
            limits.connectionsPerAddress = value
        }
        if let value = try self.number("limits.connectionsPerUser", range: 1...1_000_000) {
            limits.connectionsPerUser = value
        }
        if let value = try self.number("limits.loginSeconds", range: 1...600) {
            limits.loginTimeout = .seconds(Int64(value))
        }
        if let value = try self.number("limits.idleMinutes", range: 1...1_440) {
            limits.idleTimeout = .minutes(Int64(value))
        }
        if let value = try self.number("limits.upstreamSeconds", range: 1...600) {
            limits.upstreamTimeout = .seconds(Int64(value))
        }
        if let value = try self.number("limits.listSeconds", range: 1...600) {
            limits.listTime = .seconds(Int64(value))
        }
        if let value = try self.number("limits.listConnections", range: 0...1_000_000) {
            limits.listConnections = value
        }
        if let value = try self.number("limits.folderListSeconds", range: 0...86_400) {
            limits.folderListTime = .seconds(Int64(value))
        }
        if let value = try self.number("limits.upstreamAnswerSeconds", range: 1...3_600) {
            limits.upstreamAnswerTime = .seconds(Int64(value))
        }
        if let value = try self.number("limits.upstreamWorkSeconds", range: 1...86_400) {
            limits.upstreamWorkTime = .seconds(Int64(value))
        }
        if let value = try self.number("limits.upstreamTransferSeconds", range: 1...3_600) {
            limits.upstreamTransferTime = .seconds(Int64(value))
        }
        if let value = try self.number("limits.drainSeconds", range: 0...600) {
            limits.drainTime = .seconds(Int64(value))
        }
        if let value = try self.number("limits.settleSeconds", range: 1...3_600) {
            limits.settleTime = .seconds(Int64(value))
        }
        if let value = try self.number("limits.messageMebibytes", range: 1...2_047) {
            limits.messageMebibytes = value
        }
        if let value = try self.number("limits.messageSeconds", range: 1...86_400) {
            limits.messageTime = .seconds(Int64(value))
        }
        if let value = try self.number("limits.recipientsPerMessage", range: 1...100_000) {
            limits.sending.recipientsPerMessage = value
        }
        if let value = try self.number("limits.messagesPerHour", range: 1...1_000_000) {
            limits.sending.messagesPerHour = value
        }
        if let value = try self.number("limits.recipientsPerHour", range: 1...10_000_000) {
            limits.sending.recipientsPerHour = value
        }
        if let value = try self.number("limits.stallMilliseconds", range: 1...10_000) {
            limits.stallTime = .milliseconds(Int64(value))
        }
        return limits
    }
}
