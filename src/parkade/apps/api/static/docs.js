// Paths are relative, so that the page works below a prefix such as /prod as well.
const below = window.location.pathname.replace(/\/docs\/?$/, "");
window.ui = SwaggerUIBundle({
  url: `${below}/openapi.json`,
  dom_id: "#swagger-ui",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  docExpansion: "list",
  persistAuthorization: false,
  tryItOutEnabled: false,
  validatorUrl: null,
});
