import Foundation

/// Dovecot's configuration files.
extension DovecotServer {
    /// The text of `dovecot.conf`.
    /// - Parameters:
    ///   - certificate: the server's certificate, PEM.
    ///   - key: its private key, PEM.
    func configuration(_ certificate: URL, key: URL) -> String {
        let isRoot = geteuid() == 0
        let user = isRoot ? "nobody" : NSUserName()
        let own = """
            default_internal_user = \(user)
            default_login_user = \(user)
            default_internal_group = \(Self.groupName)
            service anvil {
              chroot =
            }
            service imap-login {
              chroot =
            }
            service stats {
              chroot =
            }

            """
        return """
            \(isRoot ? "" : own)
            base_dir = \(self.folder.path)/run
            state_dir = \(self.folder.path)/state
            log_path = \(self.folder.path)/log
            protocols = imap\(self.traits.lmtpPort == nil ? "" : " lmtp")
            listen = 127.0.0.1
            ssl = required
            ssl_cert = <\(certificate.path)
            ssl_key = <\(key.path)
            mail_location = maildir:\(self.mailRoot.path)/%u
            mail_uid = \(isRoot ? "nobody" : "\(getuid())")
            mail_gid = \(isRoot ? "nogroup" : "\(getgid())")
            first_valid_uid = 1
            mail_max_userip_connections = 1000
            service imap-login {
              inet_listener imap {
                port = \(self.traits.usesSTARTTLS ? self.port : 0)
              }
              inet_listener imaps {
                port = \(self.traits.usesSTARTTLS ? 0 : self.port)
                ssl = yes
              }
            }
            \(self.extras)
            passdb {
              driver = passwd-file
              args = \(self.folder.path)/users
            }
            userdb {
              driver = static
              args = uid=\(isRoot ? "nobody" : "\(getuid())") gid=\(isRoot ? "nogroup" : "\(getgid())") home=\(self.mailRoot.path)/%u
            }
            namespace inbox {
              inbox = yes
              separator = \(self.traits.separator)
              mailbox Sent {
                auto = create
                special_use = \\Sent
              }
            }

            """
    }

    /// The file with the address of the token introspection.
    var tokenConfiguration: URL { self.folder.appendingPathComponent("tokens.conf") }

    /// The settings of the token introspection (RFC 7662). Each token opens every mailbox, as those
    /// of an application do: Dovecot compares a constant instead of the user name.
    static func tokens(_ port: Int) -> String {
        """
        introspection_mode = post
        introspection_url = http://127.0.0.1:\(port)/introspect
        active_attribute = active
        active_value = true
        username_attribute = username
        username_format = application

        """
    }

    private var extras: String {
        var lines: [String] = []
        if self.traits.introspectionPort != nil {
            lines.append(
                """
                auth_mechanisms = plain xoauth2
                passdb {
                  driver = oauth2
                  mechanisms = xoauth2
                  args = \(self.tokenConfiguration.path)
                }
                """
            )
        }
        if let port = self.traits.lmtpPort {
            lines.append(
                """
                service lmtp {
                  inet_listener lmtp {
                    address = 127.0.0.1
                    port = \(port)
                  }
                }
                postmaster_address = postmaster@kanzlei.example
                """
            )
        }
        if let capabilities = self.traits.capabilities {
            lines.append("imap_capability = \(capabilities)")
        }
        if let quota = self.traits.quota {
            lines.append(
                """
                mail_plugins = quota
                protocol imap {
                  mail_plugins = quota imap_quota
                }
                plugin {
                  quota = maildir:Postfach
                  quota_rule = *:storage=\(quota)M
                }
                """
            )
        }
        return lines.joined(separator: "\n")
    }

    private static var groupName: String {
        getgrgid(getgid()).map { String(cString: $0.pointee.gr_name) } ?? "nogroup"
    }
}
