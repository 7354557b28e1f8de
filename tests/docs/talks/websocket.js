// Asks for a price over a WebSocket: node websocket.js ws://127.0.0.1:8080/chat
const socket = new WebSocket(process.argv[2]);
socket.onmessage = (event) => {
  const { market, price } = JSON.parse(event.data);
  console.log(market ?? price);
  if (market)
    socket.send('subscribe');
  else
    socket.close(3000, 'enough');
};
socket.onclose = (event) => {
  console.log(event.code, event.reason);
  process.exitCode = event.wasClean ? 0 : 1;
};
